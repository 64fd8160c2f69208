// C = A B; A is stored transposed (K x N), B is K x M, C is N x M, all row-major.
// One result for each work-item, straight from global memory.
// Sizes N, M, K are macros.
kernel void mm_naive(const global float* restrict at, const global float* restrict b,
                     global float* restrict c) {
  const int row = get_global_id(1);
  const int column = get_global_id(0);
  float sum = 0.0f;
  for (int k = 0; k < K; ++k) sum += at[k * N + row] * b[k * M + column];
  c[row * M + column] = sum;
}
