import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { transformCreateCommand } from './create.ts';
import { transformDeleteCommand } from './delete.ts';
import { transformGetCommand } from './get.ts';
import { transformListCommand } from './list.ts';

export const transformGroup = (io: Io): Command =>
  defineGroup(
    'transform',
    'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
    [transformCreateCommand(io), transformListCommand(io), transformGetCommand(io), transformDeleteCommand(io)],
  );
