/** Has the browser save a file. */
export function download(name: string, content: Blob | string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type: "text/plain" }) : content);
  link.download = name;
  link.click();
  // Saving begins after this turn; the address is needed until then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
