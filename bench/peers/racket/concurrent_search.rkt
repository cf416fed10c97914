#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/concurrent_search.scm")
