/*
 * Isolators of the command line: each replaces those of the image that limit the same thing.
 */
#pragma once

#include "spec/isolator.h"
#include "stage0/cli/apps.h"

int isolators_apply(const struct app_request *a, struct isolator_list *list, struct err *e);
