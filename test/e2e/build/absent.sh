#!/bin/sh
# In place of ssh and git-lfs, whose version the git step asks for at its start. No repository here needs them.
echo "$0 is not in this image"
