#lang racket/base
(require racket/include "effects.rkt")
(include "../scheme/resume_nontail.scm")
