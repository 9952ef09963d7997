/*
 * Private to stack.c and stack_attrs.c.
 */
#pragma once

/* The layers that count, of all that an image has: bottom first, each once. */
char **stack_of_layers(int store, char *const *layers);
