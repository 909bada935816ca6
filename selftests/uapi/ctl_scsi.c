// SPDX-License-Identifier: GPL-2.0
/* What scsi targets and LUNs are known by, given or made from their names. */
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "harness.h"

#define NAME "vtbed.ident"
#define WWPN "naa.5001405abcdef012"

FIXTURE(ident)
{
	int ctl;
};

FIXTURE_SETUP(ident)
{
	bed_sweep();
	self->ctl = ctl_open();
	ASSERT_LE(0, self->ctl);
}

FIXTURE_TEARDOWN(ident)
{
	close(self->ctl);
	bed_sweep();
}

static int create(int ctl, const char *name, u32 type, const char *wwpn)
{
	struct vhost_target_create c;

	ctl_init_create(&c, name);
	c.type = type;
	c.num_queues = 1;
	memcpy(c.wwpn, wwpn, strnlen(wwpn, sizeof(c.wwpn)));
	return ctl_call(ctl, VHOST_TARGET_CREATE, &c);
}

static int create_scsi(int ctl, const char *name, const char *wwpn)
{
	return create(ctl, name, VHOST_TARGET_SCSI, wwpn);
}

static void init_lun(struct vhost_target_unit_add *u, unsigned int lun)
{
	ctl_init_unit(u, NAME);
	u->unit = lun;
	u->backend = VHOST_TARGET_BACKEND_NULL;
	u->capacity = MIB;
}

static int add_lun(int ctl, unsigned int lun, const char *serial)
{
	struct vhost_target_unit_add u;

	init_lun(&u, lun);
	strcpy(u.serial, serial);
	return ctl_call(ctl, VHOST_TARGET_UNIT_ADD, &u);
}

TEST_F(ident, wwpn_given)
{
	struct vhost_target_info info;

	ASSERT_EQ(0, create_scsi(self->ctl, NAME, WWPN));
	ASSERT_EQ(0, ctl_get(self->ctl, NAME, &info));
	EXPECT_STREQ(WWPN, info.wwpn);
	EXPECT_EQ(VHOST_TARGET_SCSI, info.type);
	EXPECT_EQ(0, info.nr_units);
}

TEST_F(ident, wwpn_refused)
{
	static const char *const bad[] = {
		"naa.", "naa.5001405abcdef01", "naa.5001405abcdef0123",
		"naa.5001405abcdef01g", "NAA.5001405abcdef012", "5001405abcdef012",
		"iqn.2003-01.org.linux", "naa.0x01405abcdef012",
		"naa.5001405abcdef012naa.5001405abcdef012",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, create_scsi(self->ctl, NAME, bad[i]))
			TH_LOG("wwpn %u", i);
	EXPECT_EQ(-EINVAL, create(self->ctl, NAME, VHOST_TARGET_BLK, WWPN));
	EXPECT_EQ(0, create_scsi(self->ctl, NAME, WWPN));
}

/* What is in use with the kernel's own target is taken as it is. */
TEST_F(ident, wwpn_of_any_type)
{
	static const char old[] = "naa.600140554cf3a18e";
	struct vhost_target_info info;

	ASSERT_EQ(0, create_scsi(self->ctl, NAME, old));
	ASSERT_EQ(0, ctl_get(self->ctl, NAME, &info));
	EXPECT_STREQ(old, info.wwpn);
}

TEST_F(ident, wwpn_taken)
{
	ASSERT_EQ(0, create_scsi(self->ctl, NAME, WWPN));
	EXPECT_EQ(-EEXIST, create_scsi(self->ctl, NAME ".2", WWPN));
	EXPECT_EQ(-EEXIST, create_scsi(self->ctl, NAME ".2",
				       "naa.5001405ABCDEF012"));
	EXPECT_EQ(-EEXIST, create_scsi(self->ctl, NAME, ""));
	EXPECT_EQ(0, create_scsi(self->ctl, NAME ".2", ""));
}

/* The very digits: VMs have them in their configuration. */
TEST_F(ident, wwpn_made_from_name)
{
	struct vhost_target_info info, other;

	ASSERT_EQ(0, create_scsi(self->ctl, NAME, ""));
	ASSERT_EQ(0, create_scsi(self->ctl, NAME ".2", ""));
	ASSERT_EQ(0, ctl_get(self->ctl, NAME, &info));
	ASSERT_EQ(0, ctl_get(self->ctl, NAME ".2", &other));
	EXPECT_EQ(0, strncmp(info.wwpn, "naa.3", 5));
	EXPECT_EQ(20, strlen(info.wwpn));
	EXPECT_STRNE(info.wwpn, other.wwpn);
	ASSERT_EQ(0, ctl_destroy(self->ctl, NAME));
	ASSERT_EQ(0, create_scsi(self->ctl, NAME, ""));
	other = info;
	ASSERT_EQ(0, ctl_get(self->ctl, NAME, &info));
	EXPECT_STREQ(other.wwpn, info.wwpn);
}

TEST_F(ident, wwpn_is_the_name)
{
	struct vhost_target_info info;

	ASSERT_EQ(0, create_scsi(self->ctl, WWPN, ""));
	EXPECT_EQ(0, ctl_get(self->ctl, WWPN, &info));
	EXPECT_STREQ(WWPN, info.wwpn);
	EXPECT_EQ(0, ctl_destroy(self->ctl, WWPN));
}

TEST_F(ident, lun_given)
{
	struct vhost_target_unit_info info;
	struct vhost_target_unit_add u;

	ASSERT_EQ(0, create_scsi(self->ctl, NAME, ""));
	init_lun(&u, 16383);
	memcpy(u.vendor, "ACMEACME", sizeof(u.vendor));
	memcpy(u.product, "all 16 of them..", sizeof(u.product));
	memcpy(u.revision, "1.23", sizeof(u.revision));
	u.naa = 0x5001405000000001;
	ASSERT_EQ(0, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	ASSERT_EQ(0, ctl_unit(self->ctl, NAME, 16383, &info));
	EXPECT_EQ(0, memcmp(info.vendor, u.vendor, sizeof(u.vendor)));
	EXPECT_EQ(0, memcmp(info.product, u.product, sizeof(u.product)));
	EXPECT_EQ(0, memcmp(info.revision, u.revision, sizeof(u.revision)));
	EXPECT_EQ(u.naa, info.naa);
}

TEST_F(ident, lun_made)
{
	struct vhost_target_unit_info a, b, c;

	ASSERT_EQ(0, create_scsi(self->ctl, NAME, ""));
	ASSERT_EQ(0, add_lun(self->ctl, 0, ""));
	ASSERT_EQ(0, add_lun(self->ctl, 1, ""));
	ASSERT_EQ(0, ctl_unit(self->ctl, NAME, 0, &a));
	ASSERT_EQ(0, ctl_unit(self->ctl, NAME, 1, &b));
	EXPECT_STREQ(NAME "-0", a.serial);
	EXPECT_STREQ(NAME "-1", b.serial);
	EXPECT_EQ(3, a.naa >> 60);
	EXPECT_EQ(3, b.naa >> 60);
	EXPECT_NE(a.naa, b.naa);
	ASSERT_EQ(0, ctl_destroy(self->ctl, NAME));
	ASSERT_EQ(0, create_scsi(self->ctl, NAME, WWPN));
	ASSERT_EQ(0, add_lun(self->ctl, 1, ""));
	ASSERT_EQ(0, ctl_unit(self->ctl, NAME, 1, &c));
	EXPECT_EQ(b.naa, c.naa);
	/* Two ways to one disk have one identifier. */
	ASSERT_EQ(0, add_lun(self->ctl, 7, b.serial));
	ASSERT_EQ(0, ctl_unit(self->ctl, NAME, 7, &c));
	EXPECT_EQ(b.naa, c.naa);
}

/* Cut off, the serial numbers of two LUNs would be the same. */
TEST_F(ident, lun_of_a_long_name)
{
	static const char name[] =
		"vtbed.a-name-of-more-than-thirty-two-characters";
	struct vhost_target_unit_info a, b;

	ASSERT_EQ(0, create_scsi(self->ctl, name, ""));
	ASSERT_EQ(0, ctl_add_null(self->ctl, name, MIB, 512, 0));
	ASSERT_EQ(0, ctl_unit(self->ctl, name, 0, &a));
	EXPECT_EQ(0, ctl_remove_unit(self->ctl, name, 0));
	ASSERT_EQ(0, ctl_add_null(self->ctl, name, MIB, 512, 0));
	ASSERT_EQ(0, ctl_unit(self->ctl, name, 0, &b));
	EXPECT_EQ(16, strlen(a.serial));
	EXPECT_STREQ(a.serial, b.serial);
	EXPECT_EQ(a.naa, b.naa);
}

TEST_F(ident, lun_refused)
{
	struct vhost_target_unit_add u;

	ASSERT_EQ(0, create_scsi(self->ctl, NAME, ""));
	init_lun(&u, 16384);
	EXPECT_EQ(-ERANGE, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	init_lun(&u, 0);
	u.naa = 0x6001405000000001;
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.naa = 0;
	u.vendor[0] = '\n';
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.vendor[0] = 0;
	u.vendor[1] = 'x';
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.vendor[1] = 0;
	u.product[0] = '\x80';
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.product[0] = 0;
	u.revision[3] = '\x7f';
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.revision[3] = 0;
	strcpy(u.serial, "a\tb");
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	memset(u.serial, 0, sizeof(u.serial));
	EXPECT_EQ(0, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	EXPECT_EQ(-EEXIST, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
}

TEST_F(ident, blk_has_none)
{
	struct vhost_target_unit_info info;
	struct vhost_target_unit_add u;
	struct vhost_target_info t;

	ASSERT_EQ(0, create(self->ctl, NAME, VHOST_TARGET_BLK, ""));
	ASSERT_EQ(0, ctl_get(self->ctl, NAME, &t));
	EXPECT_STREQ("", t.wwpn);
	init_lun(&u, 0);
	u.naa = 0x5001405000000001;
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.naa = 0;
	u.product[0] = 'x';
	EXPECT_EQ(-EINVAL, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	u.product[0] = 0;
	EXPECT_EQ(0, ctl_call(self->ctl, VHOST_TARGET_UNIT_ADD, &u));
	ASSERT_EQ(0, ctl_unit(self->ctl, NAME, 0, &info));
	EXPECT_EQ(0, info.naa);
	EXPECT_STREQ(NAME, info.serial);
}

TEST_HARNESS_MAIN
