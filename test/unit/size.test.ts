import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { codeLines, excesses, measure, roomOf } from '../../scripts/size.ts';
import ceilings from './size.json' with { type: 'json' };

const root = path.resolve(import.meta.dirname, '..', '..');

test('no room of src exceeds its ceiling in size.json', () => {
  assert.deepEqual(excesses(measure(root), ceilings), []);
});

describe('code lines', () => {
  const cases: [name: string, lines: number, text: string][] = [
    ['of nothing', 0, ''],
    ['without blank lines', 2, '\na();\n\n  \t\nb();\n\n'],
    ['without comments', 1, '// a\n/* b\n   c\n*/\n/** d */\n  // e\nf(); // g\n'],
    ['with code before, between and after comments', 3, 'a(); /*\n*/ b();\n/* c */ d() /* e */;'],
    ['with strings that look like comments', 4, "a('/*');\nb(\"// c\");\nd('\\'/*');\ne();"],
    ['with templates that look like comments', 5, `a(\`\n// b\n/* c\n\n\${d(\`/*\`) /* e */}\`);\nf();`],
    ['with regular expressions that look like comments or strings', 4, 'a(/\\/*/);\nb(/[/*]/);\nc(/[\'"`]/);\nd();'],
    ['with divisions', 2, 'a(b / c, d / e);\nf(/* g */);'],
    ['without imports', 1, "import a from 'a';\nimport {\n  b, // c\n  d,\n} from 'b';\nimport 'e';\nf();"],
    ['without imports of types', 1, "import type {\n  A,\n} from 'a';\nimport { type B } from 'b';\nc();"],
    [
      'without exports from modules',
      1,
      "export {\n  a,\n} from 'a';\nexport type { B } from 'b';\nexport * from 'c';\nd();",
    ],
    ['with their own exports', 3, 'export const a = 1;\nconst b = 2;\nexport { b };'],
    ['with code beside an import', 1, "import a from 'a'; a();"],
    ['with imports that run', 2, "await import('a');\ntype B = import('b').B;"],
    ['with types', 4, 'interface A {\n  /** b */\n  b: string;\n}\ntype C = A;'],
    ['with text outside ASCII', 2, "a('ä€😀'); // 😀\n// ä\nb('€');"],
  ];
  for (const [name, lines, text] of cases) test(name, () => assert.equal(codeLines(text), lines));

  test('of what cannot be parsed are not guessed', () => assert.throws(() => codeLines('const = 1;')));
});

test('a room is a folder of src/lib or src/commands', () => {
  const rooms = ['src/cli.ts', 'src/commands/init/init.ts', 'src/commands/wec/get.ts', 'src/lib/kube/client/client.ts'];
  assert.deepEqual(rooms.map(roomOf), ['src', 'src/commands/init', 'src/commands/wec', 'src/lib/kube']);
});

test('sizes are compared with ceilings', () => {
  const sizes = { total: 30, rooms: { 'src/a': 10, 'src/b': 20 } };
  assert.deepEqual(excesses(sizes, { total: 31, rooms: { 'src/a': 10, 'src/b': 21 } }), []);
  assert.deepEqual(excesses(sizes, { total: 29, rooms: { 'src/b': 19, 'src/c': 5 } }), [
    'src/a has 10 code lines and no ceiling: add one',
    'src/b has 20 code lines, its ceiling is 19: remove code; a ceiling is raised only in a commit that says what for',
    'total has 30 code lines, its ceiling is 29: remove code; a ceiling is raised only in a commit that says what for',
    'src/c does not exist: remove its ceiling',
  ]);
});
