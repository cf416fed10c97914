#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/fibonacci_recursive.scm")
