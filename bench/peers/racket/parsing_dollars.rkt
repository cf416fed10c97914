#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/parsing_dollars.scm")
