import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { htmlOf } from '../../../../src/commands/status/page.ts';
import { canary } from '../../support/planted.ts';

test('what a cluster says is text on the page, without effect and without secrets', () => {
  assert.equal(
    htmlOf('<img src="x" onerror="y">\u001b[1m&'),
    '&#60;img src=&#34;x&#34; onerror=&#34;y&#34;&#62;\\x1b[1m&#38;',
  );
  const shown = htmlOf(`password=${canary} {"token":"${canary}"}`);
  assert.ok(!shown.includes(canary), shown);
});

test('only symbols have colours', () =>
  assert.deepEqual(
    [htmlOf('✓ 1! ✗'), htmlOf('  ! a •')],
    [
      '<b class="ok">✓</b> 1! <b class="bad">✗</b>',
      '  <b class="wait">!</b> a <b class="wait">•</b>',
    ],
  ));
