// C = A B; A is stored transposed (K x N), B is K x M, C is N x M, all row-major.
// A work-group computes TILE_N x TILE_M results from tiles of TILE_K rows in local memory, each
// work-item BLOCK_N x BLOCK_M of them in registers. Everything is moved as float4.
// Macros: N, M, K; TILE_N, TILE_M, TILE_K that divide them; BLOCK_N, BLOCK_M (multiples of 4)
// that divide the tiles.
#define ITEMS_0 (TILE_M / BLOCK_M)
#define ITEMS_1 (TILE_N / BLOCK_N)
#define ITEMS (ITEMS_0 * ITEMS_1)

kernel __attribute__((reqd_work_group_size(ITEMS_0, ITEMS_1, 1)))
void mm_tiled(const global float* restrict at, const global float* restrict b,
              global float* restrict c) {
  local float4 a_tile[TILE_K][TILE_N / 4];
  local float4 b_tile[TILE_K][TILE_M / 4];
  const int item = get_local_id(1) * ITEMS_0 + get_local_id(0);
  const int row = get_local_id(1) * (BLOCK_N / 4);
  const int column = get_local_id(0) * (BLOCK_M / 4);
  const global float4* a4 = (const global float4*)at + get_group_id(1) * (TILE_N / 4);
  const global float4* b4 = (const global float4*)b + get_group_id(0) * (TILE_M / 4);
  float4 sum[BLOCK_N][BLOCK_M / 4];
  #pragma unroll
  for (int i = 0; i < BLOCK_N; ++i)
    #pragma unroll
    for (int j = 0; j < BLOCK_M / 4; ++j) sum[i][j] = (float4)(0.0f);

  for (int tile = 0; tile < K; tile += TILE_K) {
    for (int i = item; i < TILE_K * (TILE_N / 4); i += ITEMS)
      a_tile[i / (TILE_N / 4)][i % (TILE_N / 4)] =
          a4[(tile + i / (TILE_N / 4)) * (N / 4) + i % (TILE_N / 4)];
    for (int i = item; i < TILE_K * (TILE_M / 4); i += ITEMS)
      b_tile[i / (TILE_M / 4)][i % (TILE_M / 4)] =
          b4[(tile + i / (TILE_M / 4)) * (M / 4) + i % (TILE_M / 4)];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < TILE_K; ++k) {
      float4 left[BLOCK_N / 4], right[BLOCK_M / 4];
      #pragma unroll
      for (int i = 0; i < BLOCK_N / 4; ++i) left[i] = a_tile[k][row + i];
      #pragma unroll
      for (int j = 0; j < BLOCK_M / 4; ++j) right[j] = b_tile[k][column + j];
      #pragma unroll
      for (int i = 0; i < BLOCK_N / 4; ++i)
        #pragma unroll
        for (int j = 0; j < BLOCK_M / 4; ++j) {
          sum[4 * i][j] += left[i].x * right[j];
          sum[4 * i + 1][j] += left[i].y * right[j];
          sum[4 * i + 2][j] += left[i].z * right[j];
          sum[4 * i + 3][j] += left[i].w * right[j];
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  global float4* c4 = (global float4*)c + get_group_id(0) * (TILE_M / 4) + column;
  const int first = get_group_id(1) * TILE_N + 4 * row;
  #pragma unroll
  for (int i = 0; i < BLOCK_N; ++i)
    #pragma unroll
    for (int j = 0; j < BLOCK_M / 4; ++j) c4[(first + i) * (M / 4) + j] = sum[i][j];
}
