(let ()
  (define (parse a)
    (let ([c (perform 'read)])
      (cond [(= c 36) (parse (+ a 1))] [(= c 10) (perform a) (parse 0)] [else (perform 'stop)])))
  ; One driver for the three handlers: reading, summing, stopping.
  (define (run n)
    (let loop ([i 0] [j 0] [s 0] [o (step (lambda () (parse 0)))])
      (cond [(not (op? o)) s]
            [(eq? (op-value o) 'stop) s]
            [(eq? (op-value o) 'read)
             (cond [(> i n) s]
                   [(= j 0) (loop (+ i 1) (+ i 1) s (resume (op-k o) 10))]
                   [else (loop i (- j 1) s (resume (op-k o) 36))])]
            [else (loop i j (+ s (op-value o)) (resume (op-k o) #f))])))
  (display (run argument))
  (newline))
