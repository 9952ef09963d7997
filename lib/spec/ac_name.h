/*
 * The small grammars of the appc specification 0.8.11 ("types").  Each check returns NULL when the
 * word is fine, else what is wrong with it in a few words, so that it fits json_field.check.
 */
#pragma once

/* AC Name: ^[a-z0-9]+(-[a-z0-9]+)*$ */
const char *ac_name_check(const char *s);
/* AC Identifier: ^[a-z0-9]+([-._~/][a-z0-9]+)*$ */
const char *ac_identifier_check(const char *s);
/* Environment variable name: ^[A-Za-z_][A-Za-z_0-9.-]*$ */
const char *ac_env_name_check(const char *s);
/* SemVer 2.0. */
const char *ac_version_check(const char *s);
/* Begins with '/'. */
const char *ac_absolute_path_check(const char *s);
/* An AC Name made out of any text: lower case, other characters to '-', none at the ends or doubled;
 * "" when nothing is left. Owned by the caller. */
char *ac_name_sanitize(const char *s);
