/**
 * Well-formedness of XML, strictly: tags nest, attributes are quoted and unique, and nothing is
 * unescaped. Returns elements in document order.
 */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

const TAG = /<(?<close>\/)?(?<name>[\w.-]+)(?<attributes>(?: [\w.-]+="[^"<]*")*)(?<empty>\/)?>/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

export function elementsOf(xml: string): Element[] {
  const found: Element[] = [];
  const open: Element[] = [];
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(declaration)) throw new Error('no XML declaration');
  for (let at = declaration.length; at < xml.length;) {
    TAG.lastIndex = at;
    const groups = TAG.exec(xml)?.groups;
    if (groups === undefined) {
      const end = xml.indexOf('<', at + 1);
      const text = xml.slice(at, end < 0 ? undefined : end);
      const last = open.at(-1);
      if (last) last.text += unescaped(text);
      else if (text.trim() !== '') throw new Error(`text outside: ${text}`);
      at += text.length;
      continue;
    }
    at = TAG.lastIndex;
    const { close, name = '', attributes = '', empty } = groups;
    if (close !== undefined) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const element = { name, attributes: attributesOf(attributes), text: '' };
    found.push(element);
    if (empty === undefined) open.push(element);
  }
  if (open.length > 0) throw new Error(`<${open[0]?.name}> is not closed`);
  return found;
}

function attributesOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/ ([\w.-]+)="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [name, unescaped(value)],
  );
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Error(`twice: ${text}`);
  return Object.fromEntries(pairs);
}

function unescaped(text: string): string {
  // Production 2 of XML 1.0.
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text))
    throw new Error(`a character XML 1.0 does not have in ${JSON.stringify(text)}`);
  return text.replaceAll(/&(\w+;)?|[<>]/g, (entity, name: string | undefined) => {
    const known = ENTITIES[name?.slice(0, -1) ?? ''];
    if (known === undefined) throw new Error(`unescaped ${entity} in ${JSON.stringify(text)}`);
    return known;
  });
}
