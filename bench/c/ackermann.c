#include "common.h"
static i64 ack(i64 m, i64 n) { return m == 0 ? n + 1 : n == 0 ? ack(m - 1, 1) : ack(m - 1, ack(m, n - 1)); }
i64 run(i64 n) { return ack(3, n); }
