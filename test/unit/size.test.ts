import './support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countTokens, functionsIn } from '../../scripts/size.ts';

describe('tokens', () => {
  const cases: [name: string, tokens: number, text: string][] = [
    ['of nothing', 0, ''],
    ['without comments', 4, '// a\n/* b\n   c\n*/\n/** d */\nf(); // g\n'],
    ['however lines are broken', 15, 'a(\n  {\n    b: 1,\n    c,\n  },\n  [d],\n);'],
    ['on one line', 15, 'a({ b: 1, c }, [d]);'],
    ['with strings that look like comments', 5, "a('/*');"],
    ['with templates, each piece and what it inserts', 13, `a(\`b\${c}d\${{ e }.e}f\`);`],
    ['with templates in templates', 9, `a(\`b\${\`c\${d}e\`}f\`);`],
    ['with regular expressions that look like comments or strings', 10, 'a(/\\/*/);\nb(/[\'"`]/);'],
    ['with divisions', 11, 'a(b / c, d / e);'],
    [
      'without imports',
      4,
      "import a from 'a';\nimport {\n  b, // c\n  d,\n} from 'b';\nimport 'e';\nf();",
    ],
    [
      'without imports of types',
      4,
      "import type {\n  A,\n} from 'a';\nimport { type B } from 'b';\nc();",
    ],
    [
      'without exports from modules',
      4,
      "export { a } from 'a';\nexport type { B } from 'b';\nexport * from 'c';\nd();",
    ],
    ['with their own exports', 6, 'export const a = 1;'],
    ['with imports that run', 6, "await import('a');"],
    ['without types', 7, 'let a: Map<B, C<D>>;\nf<\n  E,\n>();\ninterface G {\n  h: I;\n}'],
    ['with text outside ASCII', 5, "a('ä€😀'); // 😀"],
  ];
  for (const [name, tokens, text] of cases)
    test(name, () => assert.equal(countTokens(text), tokens));

  test('of what cannot be parsed are not guessed', () =>
    assert.throws(() => countTokens('const = 1;')));
});

test('functions are measured with those in them, and methods by themselves', () => {
  const text =
    'const a = () => {\n  b(() => c);\n};\nclass A {\n  d(): void {\n    e(/}/);\n  }\n}\nfunction f() {}\n';
  assert.deepEqual(functionsIn(text), [
    { opening: 'const a = () => {', tokens: 13 },
    { opening: '  d(): void {', tokens: 9 },
    { opening: 'function f() {}', tokens: 6 },
  ]);
});
