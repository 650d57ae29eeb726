/** Sentences of a page in Markdown: what is read, without tables, code and outputs. */

/** One text for each paragraph and each item of a list. */
function paragraphs(markdown: string): string[] {
  const text = markdown.replaceAll(/```[^]*?```/g, '\n\n').replaceAll(/<!--[^]*?-->/g, '\n\n');
  const found: string[] = [''];
  for (const line of text.split('\n')) {
    const item = /^\s*(?:[-*]|\d+\.)\s+(.*)$/.exec(line);
    if (/^\s*(?:$|#|\||!\[)/.test(line)) found.push('');
    else if (item) found.push(item[1] ?? '');
    else found.push(`${found.pop() ?? ''} ${line.trim()}`);
  }
  return found.map((each) => each.trim()).filter((each) => each !== '');
}

/** Code is one word, a link is its text. */
export function sentences(markdown: string): string[] {
  return paragraphs(markdown).flatMap((paragraph) =>
    paragraph
      .replaceAll(/`[^`]*`/g, 'x')
      .replaceAll(/\]\([^)]*\)/g, ']')
      .split(/(?<=[.!?:]["*)_]*)\s+(?=["*([A-Z`x\d_])/),
  );
}

export function words(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\d]/u.test(word)).length;
}
