// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested page tables: one tree per address space, shared by the vCPUs that are
 * in it, changed under mmu.lock only. The CPU walks it at any time and sets accessed
 * and dirty bits.
 * A table page's page_private() counts its present entries.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/mem_encrypt.h>

#include "mmu.h"
#include "tdp.h"
#include "../core/vm.h"

struct spte_layout tdp_layout __ro_after_init;
int tdp_max_level __ro_after_init;
static int tdp_root_level __ro_after_init;
static bool tdp_cpu_logs __ro_after_init;
struct tdp_reserved tdp_reserved __ro_after_init;

/**
 * mmu_set_layout() - how this machine's nested page tables look
 * @layout: one of spte.h's; copied
 * @root_level: 4 or 5
 * @max_page_level: largest leaf: 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB
 *
 * Called once, by the vendor's setup at module load.
 */
void mmu_set_layout(const struct spte_layout *layout, int root_level,
		    int max_page_level)
{
	tdp_layout = *layout;
	tdp_layout.encrypt = sme_me_mask;
	tdp_root_level = root_level;
	tdp_max_level = max_page_level;
}

/**
 * mmu_set_cpu_logs() - the CPU logs the pages whose dirty bit it sets
 *
 * Called at load, by the vendor's setup, if its take_dirty operation has them.
 */
void mmu_set_cpu_logs(void)
{
	tdp_cpu_logs = true;
}

/**
 * mmu_max_gfn() - the end of what can be mapped
 *
 * Return: the first guest frame that is beyond both the nested page tables and
 * this machine's physical addresses, or that the vendor has reserved
 */
gfn_t mmu_max_gfn(void)
{
	int bits = min_t(int, boot_cpu_data.x86_phys_bits,
			 12 + tdp_root_level * SPTE_LEVEL_BITS);

	return (1ULL << (bits - 12)) - tdp_reserved.pages;
}

/**
 * mmu_reserve_end() - put pages of the module's own at the end of every guest's
 * physical addresses
 * @pfn: the first of them
 * @pages: how many
 *
 * A guest can read them, and no more. Called at most once, at load, after
 * mmu_set_layout().
 *
 * Return: their guest physical address
 */
gpa_t mmu_reserve_end(u64 pfn, unsigned int pages)
{
	tdp_reserved.pfn = pfn;
	tdp_reserved.pages = pages;
	tdp_reserved.gfn = mmu_max_gfn();
	return tdp_reserved.gfn << PAGE_SHIFT;
}

static u64 *table_alloc(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		set_page_private(virt_to_page(table), 0);
	return table;
}

static void table_free(u64 *table)
{
	set_page_private(virt_to_page(table), 0);
	free_page((unsigned long)table);
}

static unsigned long table_count(u64 *table)
{
	return page_private(virt_to_page(table));
}

static void table_add(u64 *table, long nr)
{
	struct page *page = virt_to_page(table);

	set_page_private(page, page_private(page) + nr);
}

static u64 *spte_to_table(u64 spte)
{
	return __va(spte_addr(&tdp_layout, spte));
}

/**
 * table_cache_fill() - take table pages while sleeping is allowed
 * @cache: to be filled up
 * @nr: to that many
 *
 * Return: 0 or -ENOMEM, in which case some may be there
 */
int table_cache_fill(struct table_cache *cache, int nr)
{
	while (cache->nr < nr) {
		u64 *table = table_alloc();

		if (!table)
			return -ENOMEM;
		cache->tables[cache->nr++] = table;
	}
	return 0;
}

/** table_cache_drain() - give back what was not used */
void table_cache_drain(struct table_cache *cache)
{
	while (cache->nr)
		table_free(cache->tables[--cache->nr]);
}

/* --- sweeping a range ---------------------------------------------------- */

/**
 * sweep_begin() - start a pass
 * @s: the pass
 * @vm: whose tables; mmu.lock is held until after sweep_end()
 * @op: what is done to each leaf
 * @may_yield: sweep_range() may drop the lock, sleep and go on
 */
void sweep_begin(struct sweep *s, struct vm *vm, enum sweep_op op,
		 bool may_yield)
{
	lockdep_assert_held(&vm->mmu.lock);
	s->vm = vm;
	s->op = op;
	s->slot = NULL;
	s->may_yield = may_yield;
	s->flush = false;
	s->young = false;
	INIT_LIST_HEAD(&s->tables);
}

/**
 * sweep_end() - flush what the pass made stale, then free what it unlinked
 * @s: the pass
 *
 * Under mmu.lock: another pass that finds nothing left to unmap relies on the
 * flush having been done.
 */
void sweep_end(struct sweep *s)
{
	struct page *page, *next;

	lockdep_assert_held(&s->vm->mmu.lock);
	if (s->flush)
		tlb_flush_vm(s->vm);
	s->flush = false;
	list_for_each_entry_safe(page, next, &s->tables, lru) {
		list_del(&page->lru);
		table_free(page_address(page));
	}
}

static void sweep_unlink_table(struct sweep *s, u64 *parent, u64 *entry)
{
	u64 *table = spte_to_table(*entry);

	WRITE_ONCE(*entry, 0);
	table_add(parent, -1);
	list_add(&virt_to_page(table)->lru, &s->tables);
	s->vm->mmu.nr_tables--;
	s->flush = true;
}

static void sweep_zap_leaf(struct sweep *s, u64 *table, u64 *sptep)
{
	WRITE_ONCE(*sptep, 0);
	table_add(table, -1);
	s->flush = true;
}

/* The CPU may set bits at the same time. Returns what was there before. */
static u64 spte_clear_bits(u64 *sptep, u64 bits)
{
	u64 old = READ_ONCE(*sptep);

	while (!try_cmpxchg64(sptep, &old, old & ~bits))
		;
	return old;
}

/*
 * The bit without which the next write is noticed: by the CPU's log, or as a fault. A
 * large page is to fault, for it is split; rings are filled before a page is written.
 */
static u64 sweep_watch_bit(struct sweep *s, u64 spte)
{
	if (!tdp_cpu_logs || s->vm->dirty_ring_nr || spte & tdp_layout.large)
		return tdp_layout.write;
	if (!s->vm->mmu.cpu_logs) {
		WRITE_ONCE(s->vm->mmu.cpu_logs, true);
		smp_mb();	/* before the first page is watched so */
	}
	return tdp_layout.dirty;
}

/* A present leaf. */
static void sweep_leaf(struct sweep *s, u64 *table, u64 *sptep)
{
	u64 accessed = tdp_layout.accessed;
	u64 watch;

	switch (s->op) {
	case SWEEP_ZAP:
	case SWEEP_COLLAPSE:
		sweep_zap_leaf(s, table, sptep);
		break;
	case SWEEP_WRITE_PROTECT:
		watch = sweep_watch_bit(s, *sptep);
		if (!(*sptep & watch))
			break;
		spte_clear_bits(sptep, watch);
		s->flush = true;
		break;
	case SWEEP_CLEAR_YOUNG:
		/* Without accessed bits the next access is seen as a fault. */
		if (!accessed) {
			s->young = true;
			sweep_zap_leaf(s, table, sptep);
		} else if (*sptep & accessed) {
			s->young = true;
			spte_clear_bits(sptep, accessed);
		}
		break;
	case SWEEP_TEST_YOUNG:
		if (!accessed || (*sptep & accessed))
			s->young = true;
		break;
	}
}

/* Is there anything to be done to what leaves of @level map from @gfn on? */
static bool sweep_wants(const struct sweep *s, gfn_t gfn, int level)
{
	const struct memslot *slot = s->slot;
	int max;

	if (s->op != SWEEP_COLLAPSE)
		return true;
	max = slot_level(slot, gfn, tdp_max_level);
	if (max <= level)
		return false;
	/* The host may change its mapping meanwhile: a guess is good enough. */
	return host_map_level(s->vm->mm, slot->hva +
			      ((gfn - slot->base_gfn) << PAGE_SHIFT)) > level;
}

static gfn_t next_gfn(gfn_t gfn, int level)
{
	return (gfn | (spte_level_pages(level) - 1)) + 1;
}

/* One lowest table's worth, or one gap, or one large leaf from @gfn on.
 * Returns the frame to go on at.
 */
static gfn_t sweep_step(struct sweep *s, hpa_t root, gfn_t gfn, gfn_t end)
{
	struct mmu *mmu = &s->vm->mmu;
	u64 *tables[SPTE_MAX_LEVEL + 1];
	u64 *entries[SPTE_MAX_LEVEL + 1];
	int level = mmu->level;
	u64 *table = __va(root);
	gfn_t next;
	u64 *entry;

	for (;;) {
		entry = &table[spte_index(gfn, level)];
		if (level == 1)
			break;
		tables[level] = table;
		entries[level] = entry;
		next = next_gfn(gfn, level);
		if (!spte_present(&tdp_layout, *entry))
			return next;
		if (spte_is_leaf(&tdp_layout, *entry, level)) {
			if (sweep_wants(s, gfn, level))
				sweep_leaf(s, table, entry);
			goto out_tables;
		}
		table = spte_to_table(*entry);
		level--;
	}

	next = min(end, next_gfn(gfn, 2));
	if (!sweep_wants(s, gfn, 1))
		return next;
	for (; gfn < next; gfn++, entry++)
		if (spte_present(&tdp_layout, *entry))
			sweep_leaf(s, table, entry);

out_tables:
	while (level < mmu->level && !table_count(table)) {
		level++;
		table = tables[level];
		sweep_unlink_table(s, table, entries[level]);
	}
	return next;
}

/**
 * sweep_range() - pass over some guest frames
 * @s: the pass
 * @space: of these
 * @start: first frame
 * @end: frame after the last
 *
 * With may_yield the lock is dropped now and then, all that is due having been
 * flushed: whatever keeps new mappings away from the range must not be the lock.
 */
void sweep_range(struct sweep *s, enum space space, gfn_t start, gfn_t end)
{
	spinlock_t *lock = &s->vm->mmu.lock;
	hpa_t root = s->vm->mmu.root[space];

	if (root == INVALID_HPA)
		return;
	end = min(end, 1ULL << (s->vm->mmu.level * SPTE_LEVEL_BITS));
	while (start < end) {
		start = sweep_step(s, root, start, end);
		if (s->may_yield && (need_resched() || spin_needbreak(lock))) {
			sweep_end(s);
			cond_resched_lock(lock);
		}
	}
}

/* --- finding and making mappings ------------------------------------------ */

/**
 * tdp_find() - the leaf that maps a frame
 * @vm: whose tables; mmu.lock is held
 * @space: seen from where
 * @gfn: frame
 * @level: out: size of the leaf
 *
 * Return: the entry, or NULL when nothing is mapped there
 */
u64 *tdp_find(struct vm *vm, enum space space, gfn_t gfn, int *level)
{
	u64 *table = __va(vm->mmu.root[space]);
	u64 *entry;
	int l;

	lockdep_assert_held(&vm->mmu.lock);
	for (l = vm->mmu.level; ; l--) {
		entry = &table[spte_index(gfn, l)];
		if (!spte_present(&tdp_layout, *entry))
			return NULL;
		if (spte_is_leaf(&tdp_layout, *entry, l))
			break;
		table = spte_to_table(*entry);
	}
	*level = l;
	return entry;
}

/** tdp_make_writable() - a leaf that only the module had write-protected */
void tdp_make_writable(u64 *sptep)
{
	u64 old = READ_ONCE(*sptep);
	u64 bits = tdp_layout.write | tdp_layout.dirty | tdp_layout.accessed;

	while (!try_cmpxchg64(sptep, &old, old | bits))
		;
}

/* What is in the way of a mapping goes, at once. */
static void tdp_drop(struct vm *vm, enum space space, gfn_t gfn, int level)
{
	gfn_t start = gfn & ~(spte_level_pages(level) - 1);
	struct sweep s;

	sweep_begin(&s, vm, SWEEP_ZAP, false);
	sweep_range(&s, space, start, start + spte_level_pages(level));
	sweep_end(&s);
}

/* A large leaf becomes a table of the next smaller ones, of the same rights. */
static void tdp_split(struct vm *vm, u64 *entry, int level, u64 *child)
{
	u64 old = READ_ONCE(*entry);
	int i;

	for (i = 0; i < SPTE_PER_TABLE; i++)
		child[i] = spte_make_part(&tdp_layout, old, level, i);
	table_add(child, SPTE_PER_TABLE);
	/* The CPU must see a table that is full. */
	smp_store_release(entry, spte_make_table(&tdp_layout, __pa(child)));
	vm->mmu.nr_tables++;
	/* Not two sizes of the same page at once. */
	tlb_flush_vm(vm);
}

/* The entry at *@level for the fault's frame, with the tables above it made; *@level is
 * lowered where smaller mappings are there already: from 3 to 2, and to 1 if
 * a leaf of 2 MiB would lose rights (@flags) that those may have.
 * Returns NULL, *@level = tables missing, if the cache has too few.
 */
static u64 *tdp_reach(struct vm *vm, const struct page_fault *pf, int *level,
		      u32 flags, struct table_cache *cache, u64 **tablep)
{
	u64 *table, *entry, *child;
	gfn_t gfn = pf->gfn;
	int l;

again:
	table = __va(vm->mmu.root[pf->space]);
	for (l = vm->mmu.level; ; l--) {
		bool present;

		entry = &table[spte_index(gfn, l)];
		present = spte_present(&tdp_layout, *entry);
		if (present && spte_is_leaf(&tdp_layout, *entry, l)) {
			if (l == *level)
				break;
			if (!cache->nr) {
				*level = l - *level;
				return NULL;
			}
			tdp_split(vm, entry, l, cache->tables[--cache->nr]);
			table = spte_to_table(*entry);
			continue;
		}
		if (l == *level) {
			if (!present)
				break;
			/* A table where the host now has one large page. 2 MiB
			 * are quickly unmapped, 1 GiB is not. Were code on its
			 * small pages unmapped for data beside it, a guest that
			 * needs both at once would fault for ever.
			 */
			if (l == 2 && (flags & SPTE_EXEC)) {
				tdp_drop(vm, pf->space, gfn, l);
				goto again;
			}
			*level = l - 1;
		}
		if (!present) {
			if (!cache->nr) {
				*level = l - *level;
				return NULL;
			}
			child = cache->tables[--cache->nr];
			/* The CPU must see an empty table, not an old page. */
			smp_store_release(entry,
					  spte_make_table(&tdp_layout,
							  __pa(child)));
			table_add(table, 1);
			vm->mmu.nr_tables++;
		}
		table = spte_to_table(*entry);
	}
	*tablep = table;
	return entry;
}

/**
 * tdp_map() - map a frame, or a large page around it
 * @vm: whose tables; mmu.lock is held, and the host frame is known to be still
 *      the right one
 * @pf: space, gfn and pfn, of 4 KiB frames
 * @level: in: of the leaf wanted; out: made
 * @flags: SPTE_*; a 4 KiB leaf is executable without SPTE_EXEC too
 * @cache: table pages
 *
 * A mapping that is there already is only ever given more rights; one of
 * another frame, or of another memory type, is flushed first.
 *
 * Return: 0, or how many more table pages @cache must have (nothing was mapped)
 */
int tdp_map(struct vm *vm, const struct page_fault *pf, int *level, u32 flags,
	    struct table_cache *cache)
{
	int l = *level;
	u64 *table, *sptep;
	u64 new, old, pfn;

	lockdep_assert_held(&vm->mmu.lock);
	sptep = tdp_reach(vm, pf, &l, flags, cache, &table);
	if (!sptep)
		return l;

	pfn = pf->pfn & ~(spte_level_pages(l) - 1);
	old = *sptep;
	if (spte_present(&tdp_layout, old) &&
	    (spte_pfn(&tdp_layout, old) != pfn ||
	     (old ^ spte_make_leaf(&tdp_layout, pfn, l, flags)) & tdp_layout.memtype_mask ||
	     ((old & SPTE_HOST_WRITABLE) && !(flags & SPTE_MAY_WRITE)))) {
		tdp_drop(vm, pf->space, pf->gfn, l);
		return tdp_map(vm, pf, level, flags, cache);
	}
	if (spte_present(&tdp_layout, old) &&
	    spte_writable(&tdp_layout, old))
		flags |= SPTE_WRITE;
	if (l == 1)
		flags |= SPTE_EXEC;
	new = spte_make_leaf(&tdp_layout, pfn, l, flags);
	if (!spte_present(&tdp_layout, old))
		table_add(table, 1);
	WRITE_ONCE(*sptep, new);
	*level = l;
	return 0;
}

/* --- whole VMs and ranges ------------------------------------------------- */

/* May sleep. */
static void sweep_slot(struct vm *vm, struct memslot *slot, enum sweep_op op)
{
	struct sweep s;

	spin_lock(&vm->mmu.lock);
	sweep_begin(&s, vm, op, true);
	s.slot = slot;
	sweep_range(&s, memslot_space(slot), slot->base_gfn,
		    slot->base_gfn + slot->npages);
	sweep_end(&s);
	spin_unlock(&vm->mmu.lock);
}

/**
 * mmu_zap_slot() - unmap a slot
 * @vm: whose
 * @slot: which
 *
 * No vCPU uses a translation of it when it returns, unless a fault maps it again.
 * May sleep.
 */
void mmu_zap_slot(struct vm *vm, struct memslot *slot)
{
	sweep_slot(vm, slot, SWEEP_ZAP);
}

/**
 * mmu_collapse_slot() - what was mapped small for the log may be large again
 * @vm: whose; of this process
 * @slot: published without KVM_MEM_LOG_DIRTY_PAGES, and no fault is under way
 *        that saw it with
 *
 * What the host maps small stays as it is: write-protected pages become
 * writable as they are written, without a look at the host. May sleep.
 */
void mmu_collapse_slot(struct vm *vm, struct memslot *slot)
{
	sweep_slot(vm, slot, SWEEP_COLLAPSE);
}

/** mmu_zap_all() - unmap everything, likewise */
void mmu_zap_all(struct vm *vm)
{
	enum space space;
	struct sweep s;

	spin_lock(&vm->mmu.lock);
	sweep_begin(&s, vm, SWEEP_ZAP, true);
	for (space = 0; space < NR_SPACES; space++)
		sweep_range(&s, space, 0, ~0ULL);
	sweep_end(&s);
	spin_unlock(&vm->mmu.lock);
}

/**
 * mmu_write_protect_slot() - have every page of a slot noticed when it is written
 * @vm: whose
 * @slot: published with KVM_MEM_LOG_DIRTY_PAGES, and no fault is under way
 *        that saw it without; large mappings are split by those faults
 *
 * By a fault, or in the CPU's log. May sleep.
 */
void mmu_write_protect_slot(struct vm *vm, struct memslot *slot)
{
	sweep_slot(vm, slot, SWEEP_WRITE_PROTECT);
}

/**
 * mmu_write_protect_pages() - likewise, the next write to some pages
 * @vm: whose
 * @slot: that has them
 * @first: frame of the mask's first bit
 * @mask: a bit for each page
 * @longs: of @mask
 *
 * May sleep.
 */
void mmu_write_protect_pages(struct vm *vm, struct memslot *slot, gfn_t first,
			     const unsigned long *mask, unsigned int longs)
{
	unsigned int nbits = longs * BITS_PER_LONG;
	unsigned int from, to;
	struct sweep s;

	spin_lock(&vm->mmu.lock);
	sweep_begin(&s, vm, SWEEP_WRITE_PROTECT, true);
	for_each_set_bitrange(from, to, mask, nbits)
		sweep_range(&s, memslot_space(slot), first + from, first + to);
	sweep_end(&s);
	spin_unlock(&vm->mmu.lock);
}

/**
 * mmu_write_protect_frames() - likewise, of any slots
 * @vm: whose
 * @frames: which
 * @nr: of them
 *
 * May sleep.
 */
void mmu_write_protect_frames(struct vm *vm, const struct mmu_frame *frames,
			      unsigned int nr)
{
	struct sweep s;
	unsigned int i;

	spin_lock(&vm->mmu.lock);
	sweep_begin(&s, vm, SWEEP_WRITE_PROTECT, true);
	for (i = 0; i < nr; i++)
		sweep_range(&s, frames[i].space, frames[i].gfn,
			    frames[i].gfn + 1);
	sweep_end(&s);
	spin_unlock(&vm->mmu.lock);
}

/**
 * mmu_space_prepare() - an empty tree, where a space has none yet
 * @vm: whose
 * @space: about to be entered by a vCPU
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM
 */
int mmu_space_prepare(struct vm *vm, enum space space)
{
	struct mmu *mmu = &vm->mmu;
	u64 *root;

	/* Set once: whoever sees it set may use it. */
	if (READ_ONCE(mmu->root[space]) != INVALID_HPA)
		return 0;
	root = table_alloc();
	if (!root)
		return -ENOMEM;
	spin_lock(&mmu->lock);
	if (mmu->root[space] == INVALID_HPA) {
		/* Its empty entries are visible before it is. */
		smp_store_release(&mmu->root[space], __pa(root));
		mmu->nr_tables++;
		root = NULL;
	}
	spin_unlock(&mmu->lock);
	if (root)
		table_free(root);
	return 0;
}

/**
 * mmu_vm_init() - the empty tree of the normal space
 * @vm: whose mmu is zeroed
 *
 * Return: 0 or -ENOMEM
 */
int mmu_vm_init(struct vm *vm)
{
	struct mmu *mmu = &vm->mmu;
	enum space space;

	spin_lock_init(&mmu->lock);
	mmu->level = tdp_root_level;
	for (space = 0; space < NR_SPACES; space++)
		mmu->root[space] = INVALID_HPA;
	return mmu_space_prepare(vm, SPACE_NORMAL);
}

/** mmu_vm_free() - free the trees. No vCPU is left, nor the notifier. */
void mmu_vm_free(struct vm *vm)
{
	struct mmu *mmu = &vm->mmu;
	enum space space;

	mmu_zap_all(vm);
	for (space = 0; space < NR_SPACES; space++) {
		if (mmu->root[space] == INVALID_HPA)
			continue;
		table_free(__va(mmu->root[space]));
		mmu->root[space] = INVALID_HPA;
		mmu->nr_tables--;
	}
	WARN_ON_ONCE(mmu->nr_tables);
}
