// Multi-head attention in one kernel: softmax(q·kᵀ / √head width)·v, every query seeing every key.
//
// A workgroup takes QUERY_ROWS queries of one head of one image. All their scores lie in workgroup
// memory, so that the softmax is exact in two passes and nothing of it reaches a buffer.
// Queries, keys and values are slices of wider rows: of a fused q-k-v product in self-attention,
// of one product that holds the keys and values of every layer in cross-attention.
//
// Dispatch: (ceil(queries / QUERY_ROWS), HEADS, batch).

/// Width of all heads together; WIDTH / HEADS is a multiple of 4.
override WIDTH: u32;
override HEADS: u32;
/// Lanes of a workgroup.
override LANES: u32 = 64;
/// Queries of a workgroup; divides LANES.
override QUERY_ROWS: u32 = 4;
/// The most keys that an image can have.
override MAX_KEYS: u32;

/// Where rows are; not overrides, so that one pipeline serves every layer and both attentions.
/// Strides and offsets count numbers and are multiples of 4.
struct Layout {
  /// Query rows of an image.
  queries: u32,
  /// Rows from one image's queries to the next one's: `queries`, or 0 if all images share them.
  query_step: u32,
  /// Numbers in a row of the query buffer; the queries start each row.
  query_stride: u32,
  /// Key rows of an image, padding included; at most MAX_KEYS.
  keys: u32,
  /// Numbers from one image's first key row to the next one's, and from one key row to the next.
  image_stride: u32,
  key_stride: u32,
  /// Where in a row the keys and the values start.
  key_offset: u32,
  value_offset: u32,
}

@group(0) @binding(0) var<uniform> rows: Layout;
/// [batch · query_step or queries, query_stride]
@group(0) @binding(1) var<storage, read> queries: array<vec4f>;
/// [batch, keys, key_stride], if each image's rows are neighbours: keys and values
@group(0) @binding(2) var<storage, read> memory: array<vec4f>;
/// [batch]: keys of each image that hold something, at least 1.
@group(0) @binding(3) var<storage, read> lengths: array<u32>;
/// [batch · queries, WIDTH]
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

/// [QUERY_ROWS, MAX_KEYS]: scores, then exp(score − the row's largest).
var<workgroup> scores: array<f32, QUERY_ROWS * MAX_KEYS>;
/// Each lane's largest score and its sum of exponentials; lane l works for row l % QUERY_ROWS.
var<workgroup> largest: array<f32, LANES>;
var<workgroup> totals: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = tile.x * QUERY_ROWS;
  let head = tile.y;
  let image = tile.z;
  let keys = min(lengths[image], rows.keys);
  // In vec4s from here on.
  let width = WIDTH / HEADS / 4;
  let key_stride = rows.key_stride / 4;
  let image_at = image * (rows.image_stride / 4) + head * width;
  let keys_at = image_at + rows.key_offset / 4;
  let values_at = image_at + rows.value_offset / 4;

  // This lane's row and its share of the row's keys; rows past the end repeat the last.
  let row = lane % QUERY_ROWS;
  let share = lane / QUERY_ROWS;
  let step = LANES / QUERY_ROWS;
  let query = image * rows.query_step + min(first + row, rows.queries - 1);
  let query_at = query * (rows.query_stride / 4) + head * width;
  let scale = inverseSqrt(f32(4 * width));
  var most = -3.4e38;
  for (var key = share; key < keys; key += step) {
    let key_at = keys_at + key * key_stride;
    var score = 0f;
    for (var i = 0u; i < width; i++) {
      score += dot(queries[query_at + i], memory[key_at + i]);
    }
    score *= scale;
    scores[row * MAX_KEYS + key] = score;
    most = max(most, score);
  }
  largest[lane] = most;
  workgroupBarrier();

  for (var other = row; other < LANES; other += QUERY_ROWS) {
    most = max(most, largest[other]);
  }
  var total = 0f;
  for (var key = share; key < keys; key += step) {
    let p = exp(scores[row * MAX_KEYS + key] - most);
    scores[row * MAX_KEYS + key] = p;
    total += p;
  }
  totals[lane] = total;
  workgroupBarrier();

  // From here on a lane works for a group of four columns of any row.
  for (var item = lane; item < QUERY_ROWS * width; item += LANES) {
    let out_row = item / width;
    let column = item % width;
    if first + out_row >= rows.queries {
      break;
    }
    var divisor = 0f;
    for (var other = out_row; other < LANES; other += QUERY_ROWS) {
      divisor += totals[other];
    }
    var sum = vec4f();
    for (var key = 0u; key < keys; key++) {
      sum += scores[out_row * MAX_KEYS + key] * memory[values_at + key * key_stride + column];
    }
    y[(image * rows.queries + first + out_row) * (WIDTH / 4) + head * width + column] = sum / divisor;
  }
}
