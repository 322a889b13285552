class BookingRefused(Exception): pass
def hotel(e, c): return {"hotel": "H1"}
def flight(e, c): return {"flight": "F1"}
def car(e, c):
    if e.get("car") == "none": raise BookingRefused("no car in " + e["city"])
    return {"car": "C1"}
def cancel_hotel(e, c): return "hotel cancelled"
def cancel_flight(e, c): return "flight cancelled"
def cancel_car(e, c): return "car cancelled"
