#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/countdown.scm")
