// One entry in the browser's history for one step of the user. Streamlit adds one whenever the
// address changes, and a page that is drawn after a click says bit by bit what it shows.
export default function () {
  if (window.sanilensSteps) return;
  window.sanilensSteps = true;
  let stepped = false;
  for (const gesture of ["pointerdown", "keydown"]) {
    window.addEventListener(gesture, () => (stepped = true), true);
  }
  window.addEventListener("popstate", () => (stepped = false), true);
  const push = history.pushState.bind(history);
  history.pushState = (...entry) => {
    if (stepped) push(...entry);
    else history.replaceState(...entry);
    stepped = false;
  };
}
