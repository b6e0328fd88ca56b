/** Where a browser without WebGPU decodes: what it takes by itself, and the last resort. */
export const WITHOUT_GPU = ['wasm', 'reference'] as const;
