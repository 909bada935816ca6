// SPDX-License-Identifier: GPL-2.0
/* Values as people read them, and bytes that are safe on a terminal. */
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "vhostctl.h"

/*
 * Bytes of the UTF-8 character at s; 0 if there is none: a stray or cut
 * sequence, an overlong form, a surrogate, beyond U+10FFFF.
 */
size_t utf8_char(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 :
		     u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

/* Control characters (C1 too) and bytes that are not UTF-8 become \xNN. */
void put_printable(FILE *f, const char *s)
{
	while (*s) {
		size_t len = utf8_char(s);
		unsigned char c = *s;

		if (!len || c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)s[1] < 0xa0)) {
			fprintf(f, "\\x%02x", c);
			len = 1;
		} else {
			fwrite(s, 1, len, f);
		}
		s += len;
	}
}

const char *printable(const char *s, char *buf, size_t len)
{
	FILE *f = fmemopen(buf, len, "w");

	buf[0] = '\0';
	if (f) {
		put_printable(f, s);
		fclose(f);
	}
	buf[len - 1] = '\0';
	return buf;
}

const char *text_size(u64 bytes, char buf[TEXT_LEN])
{
	static const char * const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"
	};
	double val = bytes;
	size_t i = 0;

	while (val >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		val /= 1024;
		i++;
	}
	snprintf(buf, TEXT_LEN, i ? "%.1f %s" : "%.0f %s", val, units[i]);
	return buf;
}

const char *text_ns(u64 ns, char buf[TEXT_LEN])
{
	if (ns < 1000)
		snprintf(buf, TEXT_LEN, "%llu ns", ns);
	else if (ns < 1000000)
		snprintf(buf, TEXT_LEN, "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, TEXT_LEN, "%.1f ms", ns / 1e6);
	else
		snprintf(buf, TEXT_LEN, "%.1f s", ns / 1e9);
	return buf;
}

const char *text_user(u32 uid, char buf[TEXT_LEN])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(buf, TEXT_LEN, "%s", pw->pw_name);
	else
		snprintf(buf, TEXT_LEN, "%u", uid);
	return buf;
}

const char *text_group(u32 gid, char buf[TEXT_LEN])
{
	const struct group *gr = gid == ~0u ? NULL : getgrgid(gid);

	if (gid == ~0u)
		snprintf(buf, TEXT_LEN, "none");
	else if (gr)
		snprintf(buf, TEXT_LEN, "%s", gr->gr_name);
	else
		snprintf(buf, TEXT_LEN, "%u", gid);
	return buf;
}

/* NULL for none. */
const char *text_naa(u64 naa, char buf[NAA_LEN])
{
	if (!naa)
		return NULL;
	snprintf(buf, NAA_LEN, "naa.%016llx", naa);
	return buf;
}
