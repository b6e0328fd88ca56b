// A plain copy: the bandwidth that a kernel can have here.
//
// Dispatch: (64, rows, 1), 64 KiB a row.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) size: vec3u) {
  let i = id.y * size.x * 64 + id.x;
  y[i] = x[i];
}
