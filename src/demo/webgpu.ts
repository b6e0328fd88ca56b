/** Whether the browser has a GPU to give, of hardware or software. */

export async function hasWebGpu(): Promise<boolean> {
  // Browsers without it have no such property, whatever the types say.
  const gpu: GPU | undefined = navigator.gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return Boolean(adapter);
}
