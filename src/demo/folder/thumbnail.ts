/** Small pictures for the table, so that a folder's photos are not held in full to be shown as stamps. */

/** Of the longer side, in pixels: a row's picture on a dense screen. */
const SIDE = 160;

/** A larger file may hold a gigabyte of pixels, which is too much for a stamp. */
const MOST_BYTES = 40 << 20;

/**
 * An object URL of a small copy, which is the caller's to revoke; undefined if the browser makes none. It
 * holds the photo's pixels until then, so make one at a time, and only of what the model could read.
 */
export async function createThumbnail(photo: Blob): Promise<string | undefined> {
  if (photo.size > MOST_BYTES) return undefined;
  try {
    const bitmap = await createImageBitmap(photo);
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(
      Math.max(1, Math.round(bitmap.width * scale)),
      Math.max(1, Math.round(bitmap.height * scale)),
    );
    const context = canvas.getContext('2d');
    context?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return URL.createObjectURL(await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 }));
  } catch {
    return undefined; // It is there for the eye alone; the row says the rest.
  }
}
