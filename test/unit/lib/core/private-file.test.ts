import '../../support/environment.ts';
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createPrivately, writePrivately } from '../../../../src/lib/core/private-file.ts';
import {
  readSettings,
  settingsFile,
  writeSettings,
} from '../../../../src/lib/spaces/choose/its-choice.ts';
import { modeOf, newPath, temporaryFolder } from '../../support/folder.ts';
import { failsWith } from '../../support/steps.ts';

const directory = temporaryFolder();
const fileError = { code: 'file-error' };

describe('a private file', () => {
  test('is private even if the old one was readable by everyone', async () => {
    const file = newPath();
    writeFileSync(file, 'old');
    chmodSync(file, 0o644);
    await writePrivately(file, 'new');
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(file)], ['new', '600']);
  });
  for (const umask of [0o000, 0o277, 0o777]) {
    test(`is readable by its owner only (0600) with the umask ${umask.toString(8).padStart(3, '0')}`, async () => {
      const file = newPath();
      const before = process.umask(umask);
      try {
        await writePrivately(file, 'secret');
      } finally {
        process.umask(before);
      }
      assert.deepEqual([readFileSync(file, 'utf8'), modeOf(file)], ['secret', '600']);
    });
  }
  test('that must be new replaces no existing file, nor the target of a link (O_EXCL)', async () => {
    const [present, link, target, file] = [newPath(), newPath(), newPath(), newPath()];
    writeFileSync(present, 'old');
    symlinkSync(target, link);
    for (const taken of [present, link])
      await assert.rejects(createPrivately(taken, 'secret'), fileError);
    assert.deepEqual([readFileSync(present, 'utf8'), existsSync(target)], ['old', false]);
    await createPrivately(file, 'secret');
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(file)], ['secret', '600']);
  });
  test('leaves no temporary file, whether it was written or not', async () => {
    const place = newPath();
    mkdirSync(path.join(place, 'taken'), { recursive: true });
    await writePrivately(path.join(place, 'file'), 'x');
    await assert.rejects(writePrivately(path.join(place, 'taken'), 'x'), fileError);
    assert.deepEqual(readdirSync(place).sort(), ['file', 'taken']);
  });
  test('is replaced by a rename, never changed in place: readers of the old one read it to its end', async () => {
    const file = newPath();
    await writePrivately(file, 'old');
    const { ino } = statSync(file);
    await writePrivately(file, 'new');
    assert.notEqual(statSync(file).ino, ino);
  });
  test('does not replace anything but a regular file', async () => {
    const target = newPath();
    const link = newPath();
    writeFileSync(target, 'old');
    symlinkSync(target, link);
    await assert.rejects(writePrivately(link, 'secret'), fileError);
    await assert.rejects(writePrivately('/dev/null', 'secret'), fileError);
    assert.equal(readFileSync(target, 'utf8'), 'old');
  });
  test('cannot be below a file', async () => {
    const file = newPath();
    writeFileSync(file, '');
    await assert.rejects(writePrivately(path.join(file, 'x'), 'x'), fileError);
  });
  test('cannot be in a folder that does not exist, and is never quoted in the error', () =>
    assert.rejects(
      writePrivately(path.join(directory, 'no', 'file'), 'secret'),
      ({ code, message }) => code === 'file-error' && !message.includes('secret'),
    ));
});

describe('settings', () => {
  test('are read as written, and their folder is created', async () => {
    const file = path.join(newPath(), 'a', 'settings.json');
    await writeSettings({ its: 'its1' }, file);
    assert.deepEqual(await readSettings(file), { its: 'its1' });
    assert.equal(modeOf(file), '600');
  });
  test('that are missing are empty', async () =>
    assert.deepEqual(await readSettings(newPath()), {}));
  for (const content of ['{', 'null', '"text"', '']) {
    test(`that are ${content || 'empty'} are an error with a next step`, async () => {
      const file = newPath();
      writeFileSync(file, content);
      await assert.rejects(
        readSettings(file),
        failsWith({ ...fileError, steps: /stellarctl its use/ }),
      );
    });
  }
  test('that cannot be read are an error', () =>
    assert.rejects(readSettings(directory), fileError));
  test('that cannot be written are an error', async () => {
    const file = newPath();
    writeFileSync(file, '');
    await assert.rejects(
      writeSettings({}, path.join(file, 'stellarctl', 'settings.json')),
      fileError,
    );
  });
  test('are in XDG_CONFIG_HOME, else in ~/.config', () => {
    assert.equal(settingsFile({ XDG_CONFIG_HOME: '/x' }), '/x/stellarctl/settings.json');
    assert.match(settingsFile({}), /\/\.config\/stellarctl\/settings\.json$/);
    assert.match(settingsFile({ XDG_CONFIG_HOME: '' }), /\/\.config\/stellarctl\/settings\.json$/);
  });
});
