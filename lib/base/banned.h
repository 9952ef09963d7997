/*
 * Force-included by the Makefile into every file: functions that nobody may call, with what to use
 * instead.  They either cannot be bounded, hide errors, or reach into the host (NSS, a shell).
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atoll
#pragma GCC poison system popen tmpnam tempnam mktemp
#pragma GCC poison getpwnam getgrnam getpwuid getgrgid

