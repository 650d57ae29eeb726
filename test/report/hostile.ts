/** Text that means something to one form of report or another. None of it may. */
export const HOSTILE: readonly string[] = [
  '<script>document.title="taken"</script>',
  '"><img src=x onerror="alert(1)">',
  "' onmouseover='alert(1)",
  '</style></title></svg></textarea>--><b id="taken">',
  ']]><failure/>&amp;&#60;',
  '`${1+1}` ```js\nnot fenced\n``` @everyone [link](https://example.com) | cell | **bold**',
  'name # SKIP not a directive',
  '```',
  'two\nlines\r\nok 99 fake',
  'nul \u0000 bell \u0007 escape \u001b[31m right-to-left \u202e mark, half \ud800 pair',
  `long ${'x'.repeat(300)}`,
  '',
];
