export default function ({ data: { label, text, hint }, parentElement }) {
  const button = parentElement.querySelector(".copy");
  const said = parentElement.querySelector("[role=status]");
  const view = button.ownerDocument.defaultView;
  if (!button.dataset.busy) button.textContent = label;
  button.title = hint;
  button.onclick = async () => {
    button.dataset.busy = "1";
    try {
      await view.navigator.clipboard.writeText(text);
      button.textContent = said.textContent = "Copied";
    } catch {
      // Without a secure connection a page may not copy.
      view.prompt(label, text);
    }
    view.setTimeout(() => {
      delete button.dataset.busy;
      button.textContent = label;
      said.textContent = "";
    }, 2000);
  };
}
