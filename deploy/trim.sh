#!/bin/sh
# Takes out of a Python environment what nobody uses at run time, then compiles the rest.
# usage: trim.sh ENVIRONMENT
set -eu
packages=$(echo "$1"/lib/python3*/site-packages)
find "$packages" -depth -type d \( -name tests -o -name test -o -name __pycache__ \) -exec rm -rf {} +
find "$packages" -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.a' \) -delete
# Commands of packages; the hive has one.
find "$1"/bin -type f ! -name hive ! -name "python*" -delete
# Names of places and carriers by telephone prefix, 20 MB; the hive asks only whether a number is one.
rm -rf "$packages"/phonenumbers/geodata "$packages"/phonenumbers/carrierdata "$packages"/phonenumbers/tzdata
# Unchecked hashes: the same bytes at every build, and no look at the sources at every start.
"$1"/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash "$packages"
