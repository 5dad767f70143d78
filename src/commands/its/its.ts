import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { spaceCommands } from '../space/space.ts';
import { createItsCommand } from './create.ts';
import { tokenCommand } from './token.ts';
import { useCommand } from './use.ts';

export const itsGroup = (io: Io): Command =>
  defineGroup('its', 'Commands for Inventory and Transport Spaces (ITSes): the OCM hubs that WECs register with.', [
    createItsCommand(io),
    ...spaceCommands(io, 'its'),
    tokenCommand(io),
    useCommand(io),
  ]);
