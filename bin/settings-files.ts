/** The files of settings that an installation may have, but for `sizes.json`. */

import {
  type ApiSettings,
  apiSettings,
  USUAL_API_SETTINGS,
} from '../src/api/api-settings.ts'
import type { DataDirectory } from '../src/installation/data-directory.ts'
import { readLimits } from '../src/installation/follow-limits.ts'
import { findInstallation } from '../src/installation/open-installation.ts'
import {
  letPartsRead,
  readSettings,
  type SettingsFile,
} from '../src/installation/settings-file.ts'
import { settingsOfParts } from '../src/installation/parts.ts'
import {
  type ManagerSettings,
  managerSettings,
  USUAL_MANAGER_SETTINGS,
} from '../src/manager/settings.ts'
import {
  USUAL_WEBHOOK_SETTINGS,
  type WebhookSettings,
  webhookSettings,
} from '../src/webhooks/webhook-settings.ts'

export function managerSettingsFile(data: DataDirectory): SettingsFile<ManagerSettings> {
  return {
    path: data.managerSettings,
    understand: (text) =>
      managerSettings(
        text,
        findInstallation(data)?.regions.map((it) => it.name),
      ),
    usual: USUAL_MANAGER_SETTINGS,
  }
}

export function apiSettingsFile(data: DataDirectory): SettingsFile<ApiSettings> {
  return { path: data.apiSettings, understand: apiSettings, usual: USUAL_API_SETTINGS }
}

export function webhookSettingsFile(data: DataDirectory): SettingsFile<WebhookSettings> {
  return {
    path: data.webhookSettings,
    understand: webhookSettings,
    usual: USUAL_WEBHOOK_SETTINGS,
  }
}

/** Parts may read theirs then. A Refusal for the first that isn't understood, or that they can't get to. */
export function settingsMustDo(data: DataDirectory): void {
  for (const path of settingsOfParts(data)) letPartsRead(path)
  readLimits(data.sizes)
  for (const file of [managerSettingsFile, apiSettingsFile, webhookSettingsFile]) {
    readSettings<unknown>(file(data))
  }
}
