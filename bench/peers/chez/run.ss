;; scheme --script run.ss PROGRAM ARGUMENT: first-class continuations as what a handler sees of a computation.
;; (step thunk): its value, or an op where it performs; (perform x); (resume k v): the same as step, from there on.
(define-record-type op (fields value k))
(define return #f)
(define (step thunk)
  (let* ([saved return]
         [r (call/cc (lambda (k) (set! return k) (let ([v (thunk)]) (return v))))])
    (set! return saved)
    r))
(define (perform x) (call/cc (lambda (k) (return (make-op x k)))))
(define (resume k v) (step (lambda () (k v))))
(define argument (string->number (caddr (command-line))))
(load (cadr (command-line)))
