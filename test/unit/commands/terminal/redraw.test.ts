import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { redrawOn } from '../../../../src/commands/terminal/redraw.ts';
import { coloured, fakeIo } from '../../support/fake-io.ts';

/** A screen, and the output of each frame. */
function screenOf(size: { columns: number; rows: number }) {
  const { stdout } = fakeIo();
  const draw = redrawOn(Object.assign(size, { write: stdout.write.bind(stdout) }));
  return {
    frame: (lines: readonly string[]) => {
      stdout.text = '';
      draw(lines);
      return stdout.text;
    },
  };
}

const up = (rows: number) => `\u001b[${rows}A\r`;
/**
 * Lines, each erased separately, and then everything below: never the whole screen, which terminals would save in their scrollback.
 */
const drawn = (...lines: string[]) =>
  `${lines.map((line) => `\u001b[K${line}\n`).join('')}\u001b[J`;

test('lines replace the same number of lines', () => {
  const screen = screenOf({ columns: 20, rows: 10 });
  assert.equal(screen.frame(['one', 'two']), drawn('one', 'two'));
  assert.equal(screen.frame(['three']), up(2) + drawn('three'));
  assert.equal(screen.frame(['four']), up(1) + drawn('four'));
});

test('a line that is too long is cut, its colours are not', () => {
  const screen = screenOf({ columns: 8, rows: 10 });
  const red = '\u001b[31m✗\u001b[39m';
  assert.equal(
    screen.frame([`${coloured.bad} 345678`, `${coloured.bad} 3456789`, '123456789']),
    drawn(`${red} 345678`, `${red} 34567…`, '1234567…'),
  );
});

test('lines that do not fit on the terminal are counted', () => {
  const screen = screenOf({ columns: 20, rows: 4 });
  assert.equal(screen.frame(['1', '2', '3']), drawn('1', '2', '3'));
  assert.equal(screen.frame(['1', '2', '3', '4']), up(3) + drawn('1', '2', '… and 2 more lines'));
});

test('text from clusters moves nothing on the screen', () => {
  const screen = screenOf({ columns: 40, rows: 10 });
  assert.equal(screen.frame(['a\u001b[2Jb\nc']), drawn('a\\x1b[2Jb ⏎ c'));
});
