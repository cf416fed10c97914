#lang racket/base
;; Prompts as what a handler sees of a computation.
;; (step thunk): its value, or an op where it performs; (perform x); (resume k v): the same as step, from there on.
(provide step perform resume op? op-value op-k argument)
(struct op (value k) #:authentic)
(define tag (make-continuation-prompt-tag))
(define (step thunk) (call-with-continuation-prompt thunk tag (lambda (o) o)))
(define (perform x)
  (call-with-composable-continuation (lambda (k) (abort-current-continuation tag (op x k))) tag))
(define (resume k v) (step (lambda () (k v))))
(define argument (string->number (vector-ref (current-command-line-arguments) 0)))
