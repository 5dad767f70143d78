import assert from 'node:assert/strict';
import test from 'node:test';
import { Redrawn } from '../../src/lib/terminal/redraw.ts';

const up = (rows: number) => `\u001b[${rows}A\r\u001b[J`;

test('lines take the place of as many as were there', () => {
  const screen = new Redrawn({ columns: 20, rows: 10 });
  assert.equal(screen.frame(['one', 'two']), 'one\ntwo\n');
  assert.equal(screen.frame(['three']), `${up(2)}three\n`);
  assert.equal(screen.frame(['four']), `${up(1)}four\n`);
});

test('a line that is too long is cut, its colours are not', () => {
  const screen = new Redrawn({ columns: 8, rows: 10 });
  const red = '\u001b[31m✗\u001b[39m';
  assert.equal(
    screen.frame([`${red} 345678`, `${red} 3456789`, '123456789']),
    `${red} 345678\n${red} 34567…\n1234567…\n`,
  );
});

test('a terminal that has become narrower has broken lines', () => {
  const terminal = { columns: 20, rows: 10 };
  const screen = new Redrawn(terminal);
  screen.frame(['12345678901234567890', '12345', '']);
  terminal.columns = 8;
  assert.equal(screen.frame(['new']), `${up(5)}new\n`);
});

test('what a terminal has no room for is counted', () => {
  const screen = new Redrawn({ columns: 20, rows: 4 });
  assert.equal(screen.frame(['1', '2', '3']), '1\n2\n3\n');
  assert.equal(screen.frame(['1', '2', '3', '4']), `${up(3)}1\n2\n… and 2 lines more\n`);
});
