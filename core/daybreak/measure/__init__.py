"""daybreak.measure"""
