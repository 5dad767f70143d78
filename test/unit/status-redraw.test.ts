import assert from 'node:assert/strict';
import test from 'node:test';
import { Redrawn } from '../../src/lib/terminal/redraw.ts';

const up = (rows: number) => `\u001b[${rows}A\r`;
/** Lines, each erased by itself, and then whatever is below: never the whole screen, which terminals would keep above it. */
const drawn = (...lines: string[]) => `${lines.map((line) => `\u001b[K${line}\n`).join('')}\u001b[J`;

test('lines take the place of as many as were there', () => {
  const screen = new Redrawn({ columns: 20, rows: 10 });
  assert.equal(screen.frame(['one', 'two']), drawn('one', 'two'));
  assert.equal(screen.frame(['three']), up(2) + drawn('three'));
  assert.equal(screen.frame(['four']), up(1) + drawn('four'));
});

test('what is there already is not drawn again, unless the terminal has another width', () => {
  const terminal = { columns: 20, rows: 10 };
  const screen = new Redrawn(terminal);
  screen.frame(['one']);
  assert.equal(screen.frame(['one']), '');
  terminal.columns = 10;
  assert.equal(screen.frame(['one']), up(1) + drawn('one'));
});

test('a line that is too long is cut, its colours are not', () => {
  const screen = new Redrawn({ columns: 8, rows: 10 });
  const red = '\u001b[31m✗\u001b[39m';
  assert.equal(
    screen.frame([`${red} 345678`, `${red} 3456789`, '123456789']),
    drawn(`${red} 345678`, `${red} 34567…`, '1234567…'),
  );
});

test('a terminal that has become narrower has broken lines', () => {
  const terminal = { columns: 20, rows: 10 };
  const screen = new Redrawn(terminal);
  screen.frame(['12345678901234567890', '12345', '']);
  terminal.columns = 8;
  assert.equal(screen.frame(['new']), up(5) + drawn('new'));
});

test('what a terminal has no room for is counted', () => {
  const screen = new Redrawn({ columns: 20, rows: 4 });
  assert.equal(screen.frame(['1', '2', '3']), drawn('1', '2', '3'));
  assert.equal(screen.frame(['1', '2', '3', '4']), up(3) + drawn('1', '2', '… and 2 lines more'));
});
