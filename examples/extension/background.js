/**
 * Opens the page that has the model, and hands it what content scripts ask: a page of other people's has
 * neither the right to start the extension's worker nor, with its own policy, to compile WebAssembly.
 */

let opening;

async function openModelPage() {
  if (await chrome.offscreen.hasDocument()) return;
  opening ??= chrome.offscreen
    .createDocument({
      url: 'offscreen.html',
      reasons: ['WORKERS'],
      justification: 'Runs the model that describes pictures, in a worker',
    })
    .finally(() => {
      opening = undefined;
    });
  await opening;
}

chrome.runtime.onMessage.addListener((message, _sender, respond) => {
  if (message.to !== 'background') return false;
  openModelPage()
    .then(() => chrome.runtime.sendMessage({ ...message, to: 'offscreen' }))
    .then(respond, (error) => respond({ error: String(error) }));
  return true; // The answer comes later.
});
