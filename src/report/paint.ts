/** How a report asks for colour without knowing whether there is any. */

export type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';
export type Paint = (style: Style, text: string) => string;

export const PLAIN: Paint = (_style, text) => text;
