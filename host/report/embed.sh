#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints C that holds the files named, as assets.h declares it.
set -eu

echo '#include "assets.h"'
number=0
for file in "$@"; do
  number=$((number + 1))
  echo "static const unsigned char bytes_$number[] = {"
  od -An -v -tu1 "$file" | sed 's/  */,/g; s/^,//; s/$/,/'
  echo '};'
done
echo 'const Asset assets[] = {'
number=0
for file in "$@"; do
  number=$((number + 1))
  echo "  {\"$(basename "$file")\", bytes_$number, sizeof bytes_$number},"
done
echo '};'
echo 'const unsigned asset_count = sizeof assets / sizeof *assets;'
