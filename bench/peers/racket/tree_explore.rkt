#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/tree_explore.scm")
