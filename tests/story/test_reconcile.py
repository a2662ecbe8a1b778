from tests.story.house import House


def test_a_full_read_is_held_against_the_store(house: House) -> None:
    first = house.sync()
    again = house.sync()

    rows = {(row["source"], row["table"], row["currency"]): row for row in first.reconciled}
    invoices = rows["invoices", "receivables", "USD"]
    assert (invoices["crm_rows"], invoices["store_rows"]) == (600, 600)
    assert invoices["crm_amount"] == invoices["store_amount"] == "600357.00"
    assert rows["accounts", "accounts", ""]["store_rows"] == 120
    assert all(row["agrees"] for row in first.reconciled)
    assert again.reconciled == []


def test_what_differs_is_named(house: House) -> None:
    house.sync()
    with house.store.write() as session:
        session.tx.exec_driver_sql("update receivables set amount = amount + 100 where number = 'A001-5'")
        session.tx.exec_driver_sql("delete from payments where payment_id = (select max(payment_id) from payments)")
    house.sim.control("change", module="Invoices", where={"Subject": "A002-5"}, set={"Grand_Total": "1e999"})

    ran = house.sync(full=True)

    # Reading everything again mends the store; a row that no longer fits is in neither, and is counted.
    assert all(row["agrees"] for row in ran.reconciled)
    invoices = next(row for row in ran.reconciled if row["table"] == "receivables")
    assert (invoices["crm_rows"], invoices["rejected"]) == (599, 1)


def test_rows_lost_from_sight_show_as_a_difference(house: House) -> None:
    house.sync()
    invoices = house.sim.org.modules["Invoices"]
    gone = [key for key, row in invoices.records.items() if row["Subject"].endswith("-1")][:20]
    hidden = {key: invoices.records.pop(key) for key in gone}

    ran = house.sync(full=True)

    row = next(row for row in ran.reconciled if row["table"] == "receivables")
    assert not row["agrees"]
    assert row["store_rows"] - row["crm_rows"] == len(hidden) == 20
    lost = [(row.source, row.stored, row.shown, row.missing) for row in ran.pulled.lost]
    assert lost == [("invoices", 600, 580, 20)]
