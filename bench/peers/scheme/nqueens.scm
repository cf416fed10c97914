(let ()
  (define (safe queen diag xs)
    (or (null? xs)
        (let ([q (car xs)])
          (and (not (= queen q)) (not (= queen (+ q diag))) (not (= queen (- q diag))) (safe queen (+ diag 1) (cdr xs))))))
  (define (place size column)
    (if (= column 0)
        '()
        (let* ([rest (place size (- column 1))] [next (perform size)])
          (if (safe next 1 rest) (cons next rest) (perform 'fail)))))
  (define (handle o)
    (cond [(not (op? o)) 1]
          [(eq? (op-value o) 'fail) 0]
          [else
           (let ([k (op-k o)] [size (op-value o)])
             (let try ([i 1] [a 0])
               (if (> i size) a (try (+ i 1) (+ a (handle (resume k i)))))))]))
  (display (handle (step (lambda () (place argument argument)))))
  (newline))
