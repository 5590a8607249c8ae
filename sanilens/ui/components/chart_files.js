// Plotly's own button makes the picture; the kind of file it makes is the chart's setting.
function picture(page, chart, format) {
  const plot = page.querySelector(`.st-key-${CSS.escape(chart)} .js-plotly-plot`);
  const button = plot?.querySelector('.modebar-btn[data-title*="ownload"]');
  if (!button) return;
  const own = plot._context.toImageButtonOptions;
  plot._context.toImageButtonOptions = { ...own, format, scale: format === "png" ? 2 : 1 };
  button.click();
  plot._context.toImageButtonOptions = own;
}

function table(page, chart, csv) {
  const link = page.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = `${chart}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export default function ({ data: { chart, csv }, parentElement }) {
  const page = parentElement.ownerDocument;
  const list = parentElement.querySelector(".files");
  const kinds = { SVG: () => picture(page, chart, "svg"), PNG: () => picture(page, chart, "png") };
  if (csv) kinds.CSV = () => table(page, chart, csv);
  list.replaceChildren(
    ...Object.entries(kinds).map(([name, keep]) => {
      const button = page.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-label", `${csv && name === "CSV" ? "numbers" : "picture"} as ${name}`);
      button.addEventListener("click", keep);
      return button;
    }),
  );
}
