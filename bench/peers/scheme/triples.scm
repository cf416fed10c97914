(let ()
  (define (choice n) (cond [(< n 1) (perform 'fail)] [(perform 'flip) n] [else (choice (- n 1))]))
  (define (triple n s)
    (let* ([i (choice n)] [j (choice (- i 1))] [k (choice (- j 1))])
      (if (= (+ i j k) s) (remainder (+ (* 53 i) (* 2809 j) (* 148877 k)) 1000000007) (perform 'fail))))
  (define (handle o)
    (cond [(not (op? o)) o]
          [(eq? (op-value o) 'fail) 0]
          [else (let* ([k (op-k o)] [a (handle (resume k #t))]) (remainder (+ a (handle (resume k #f))) 1000000007))]))
  (display (handle (step (lambda () (triple argument argument)))))
  (newline))
