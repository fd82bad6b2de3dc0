#!/bin/sh
# The fingerprint of the headers given: a hash over their contents.
set -eu
printf '/* Made by fingerprint.sh when the SDK was built. */\n#define AB_FINGERPRINT "%s"\n' \
  "$(cat "$@" | sha256sum | cut -c1-16)"
