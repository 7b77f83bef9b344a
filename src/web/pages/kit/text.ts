/** Changes a text only where it differs: nothing is laid out or read aloud anew for what stays. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
