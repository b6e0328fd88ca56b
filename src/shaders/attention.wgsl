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
/// Numbers in a row of the query buffer; the queries start each row.
override QUERY_STRIDE: u32;
/// Numbers in a row of the key-value buffer, and where in it this layer's keys and values start.
override KEY_STRIDE: u32;
override KEY_OFFSET: u32;
override VALUE_OFFSET: u32;
/// Takes the number of keys from `lengths`; otherwise every image has sizes.keys.
override LENGTHS: bool = false;
/// Queries of a workgroup; divides 64.
override QUERY_ROWS: u32 = 4;
/// The most keys there can be.
override MAX_KEYS: u32;

const LANES = 64u;

struct Sizes {
  /// Query rows of an image.
  queries: u32,
  /// Rows from one image's queries to the next one's: `queries`, or 0 if all images share them.
  query_step: u32,
  /// Key rows of an image, padding included; at most MAX_KEYS.
  keys: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [batch · query_step or queries, QUERY_STRIDE]
@group(0) @binding(1) var<storage, read> queries: array<vec4f>;
/// [batch · keys, KEY_STRIDE]: keys and values
@group(0) @binding(2) var<storage, read> memory: array<vec4f>;
/// [batch]: keys of each image that hold something, at least 1; not read unless LENGTHS.
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
  var keys = sizes.keys;
  if LENGTHS {
    keys = min(lengths[image], sizes.keys);
  }
  // In vec4s from here on.
  let width = WIDTH / HEADS / 4;
  let key_from = image * sizes.keys * (KEY_STRIDE / 4) + KEY_OFFSET / 4 + head * width;
  let value_from = image * sizes.keys * (KEY_STRIDE / 4) + VALUE_OFFSET / 4 + head * width;

  // This lane's row and its share of the row's keys; rows past the end repeat the last.
  let row = lane % QUERY_ROWS;
  let share = lane / QUERY_ROWS;
  let step = LANES / QUERY_ROWS;
  let query = image * sizes.query_step + min(first + row, sizes.queries - 1);
  let query_from = query * (QUERY_STRIDE / 4) + head * width;
  let scale = inverseSqrt(f32(4 * width));
  var most = -3.4e38;
  for (var key = share; key < keys; key += step) {
    let start_at = key_from + key * (KEY_STRIDE / 4);
    var score = 0f;
    for (var i = 0u; i < width; i++) {
      score += dot(queries[query_from + i], memory[start_at + i]);
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
    if first + out_row >= sizes.queries {
      break;
    }
    var divisor = 0f;
    for (var other = out_row; other < LANES; other += QUERY_ROWS) {
      divisor += totals[other];
    }
    var sum = vec4f();
    for (var key = 0u; key < keys; key++) {
      sum += scores[out_row * MAX_KEYS + key] * memory[value_from + key * (KEY_STRIDE / 4) + column];
    }
    y[(image * sizes.queries + first + out_row) * (WIDTH / 4) + head * width + column] = sum / divisor;
  }
}
