import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { collectorCreateCommand } from './create.ts';
import { collectorDeleteCommand } from './delete.ts';
import { collectorGetCommand } from './get.ts';
import { collectorListCommand } from './list.ts';

export const collectorGroup = (io: Io): Command =>
  defineGroup(
    'collector',
    'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
    [collectorCreateCommand(io), collectorListCommand(io), collectorGetCommand(io), collectorDeleteCommand(io)],
  );
