#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/product_early.scm")
